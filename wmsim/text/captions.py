"""Captions: many ways to say each event of the Drive world, from which the understanding of text is learnt.

One event's captions are one text, parted by slashes and line ends. The phrases on which the understanding is measured
(`eval/phrases`) are others.
"""

from __future__ import annotations

from collections.abc import Mapping


def parted(text: str) -> tuple[str, ...]:
    """The phrases of a text, parted by " / " and line ends, their blanks made single."""
    return tuple(" ".join(one.split()) for line in text.splitlines() for one in line.split(" / ") if one.strip())


DRIVE: Mapping[str, tuple[str, ...]] = {
    "night": parted("""
        night / night falls / make it night / turn day into night / it is night now / let it be night / nighttime please
        set the time to midnight / switch to night / I want to drive at night / I'd like a night drive / it gets dark
        make it dark / darkness falls / let it get dark / go dark outside / it should be dark now
        could it be night time? / can we have night? / please make it late at night / the middle of the night
        dead of night / pitch black outside / make the sky black / a dark night with street lamps
        only the headlights light the road / headlights in the dark / turn off the sun / the sun is gone and it is dark
        stars come out / a starry sky / moonlight on the road / drive under the moon / show me the town at night
        what if it were night? / how about some darkness / midnight / after dark / past midnight now
        two o'clock in the morning / nocturnal / night mode / night-time scene / change the time of day to night
        black sky, lamps on / I fancy driving in the dark / bring on the night / shut off the daylight
        no more daylight / kill the sunlight / the lights of the city at night / dark as night / skip ahead to night
        jump to eleven p.m. / it's so dark I can hardly see the road / night time it is / let night come
        nightfall is over, full night / put out the daylight / everything goes black outside
        don't show the sun any more, make it night / it is not day any longer / turn off the daylight
        I want it pitch dark / let's go for a spin in the middle of the night / could it be 2 am
        make the sun disappear completely and switch to darkness / a moonlit street / let the night begin
        night-time driving please / how would this look at night / it's midnight / full darkness please
        dim everything to black / after midnight / show it by night / the night has come
        the sun has been down for hours / the town lies in darkness / I want to see the stars / let's have a night run
        bedtime for the sun / the clock strikes twelve at night / make it one a.m. / three in the morning
        nothing but headlights ahead / no light but my headlamps / lights out / go to night / switch over to night-time
        can you do night? / make the world dark / a moonless night / under a full moon / night-time driving conditions
        dark outside please / I'd love it to be dark / total darkness / the dark hours / let it be after midnight
        make it look like night / what does this road look like in the dark / please dim the sky to black
        drop the sun below the world and leave it dark / in the small hours / night driving / dark streets
        time for a night drive / it should be pitch dark / it's gone dark / bring the stars out
        replace the sun with the moon / street lamps on, sky black / daylight off
        night time / nighttime / night, please / night now please / it is night time / set night / set it to night
        set time of day to night / time of day: night / time = night / lighting: night / daytime off, night on
        night on / activate night / enable night mode outside / trigger night / simulate night
        simulate a night drive / render it at night / load the night scene / nighttime lighting / nighttime scenario
        run this at night / start the night / begin the night / next: night / now night / try night / let's try night
        let's see it at night / let's do a night drive / let us have night / we want night / I need night
        I need it dark / I would prefer the night / I'd rather drive at night / I'd prefer darkness
        I like it better in the dark / I feel like driving at night / I want to drive through the dark city
        I want to practise driving in the dark / I would like to see how it looks at night / make me drive in the dark
        let me drive at night / let me drive through the night / take me into the night / send us into darkness
        throw us into darkness / could you please turn it to night / would you switch to night, please
        can you make outside dark / can we go to night time? / can it be midnight? / may I have a night scene
        is it possible to have night? / would it be possible to drive at night / how about night?
        how about midnight? / what about a night ride / why not drive at night / maybe night time
        perhaps a dark night / please let it become night / please let it get dark outside / please darken the world
        please turn it dark outside / it has become night / it became dark / it's already night
        it's really dark outside now / it is completely dark / it is dark everywhere / everything is dark
        all is dark and quiet / outside it's pitch-black / pitch-black night / the sky is dark and full of stars
        the sky has gone black / a black sky full of stars / stars twinkle overhead / the moon shines over the street
        the moon is out / bring out the moon / make the moon rise / the moon hangs high / let the stars shine
        stars and moon please / only the moon for light / no daylight, only street lights
        the street lamps are the only light / street lights glow in the dark / the lamps light the empty street
        only my headlights cut the darkness / I only see what my headlights show / the headlights are all I have
        darkness all around / darkness surrounds the car / darkness please / bring the darkness / let darkness in
        let darkness fall / cover the town in darkness / wrap everything in darkness / sink the town in darkness
        turn everything black as night / make the surroundings dark / make it very dark / make it as dark as possible
        make it really dark outside / make it darker until it is night / turn the world dark / turn it into night
        change it to night time / change to night / change the scene to night / change the lighting to night
        change the clock to midnight / move the time to midnight / put the clock at two at night
        fast-forward to night / skip to night / jump to midnight / jump ahead to the night / go on to night
        wind the clock on to midnight / it's three a.m. / it's four in the morning and still dark / it's 1 am / 2 a.m.
        one o'clock at night / 0:30 at night / eleven at night / around midnight / shortly after midnight
        at midnight / midnight please / late night / late at night / in the night / at night / by night
        overnight drive / during the night / a night-time drive / a dark drive / a midnight drive
        night traffic, dark roads / a dark road at night / a dark and starry night / a cold dark night
        a quiet night in town / the town sleeps, it's the middle of the night / the city at midnight / night city
        city lights at night / a nocturnal drive / nocturnal mode / nocturnal lighting / the blackness of night
        blackness / dark sky / a dark sky / darker sky, night / starlight / moonshine over the road / a moonlit drive
        remove the sun / remove the daylight / delete the sun / hide the sun, it should be night / sun out, stars in
        get rid of the daylight / take the sun out of the sky / no sun, just the moon / no daylight please, night
        let the sun be gone for the night / the sun has set long ago / long after sunset / hours after sunset
        well after dark / well past midnight / way after midnight / the sun is down and it's dark
        sun long gone, dark sky / 23:00 / time: 22:00 / it's 11 pm / 3 am / put the clock to 01:00
        sky full of stars, no sun in it / go on driving after dark / let us carry on after dark
        imagine it's midnight / imagine it is the middle of the night / pretend it is night / act as if it were night
        a late drive through the dark / after dark, please
        """),
    "dusk": parted("""
        dusk / dusk falls / make it dusk / twilight / let the sun set / the sun goes down / sunset / a sunset please
        it is evening / make it evening / evening light / golden hour / give me golden light / the sky turns orange
        a red evening sky / the sun is low / low sun over the road / the sun dips below the horizon / it is getting late
        it gets dim / the light fades / the day ends / end of the day / switch to twilight / set the time to dusk
        can we have a sunset? / could you make it evening? / I want to drive into the sunset / I'd like evening light
        show me the town at sunset / what about dusk? / sundown / at sundown / the last light of the day
        half dark, just before night / shortly before nightfall / it is about to get dark / gloaming
        long shadows of evening / the sun is setting / let evening come / nearly night but not quite
        not yet night, but the sun is down / pink and orange sky / a glowing horizon / dim light of evening
        turn the clock to seven in the evening / half past seven p.m. / late afternoon turning to evening
        day fades to evening / please let it be dusk now / change the time of day to evening / early evening
        crepuscular light / warm low sunlight / fading daylight / sun low in my eyes / make the sun go down slowly
        I fancy a drive at dusk / an evening drive / the sky glows red / set the sun
        the street lamps are just coming on / dusky sky / it's dusk now / let the sun sink / what about a nice sunset
        make the evening come / sky at sundown / I'd love to see this at twilight / the light should be fading
        put the sun near the horizon / evening please / evening falls / last rays of sun / a late evening glow
        turn it to dusk / make the sky orange / the day is drawing to a close / reddish evening light / make the sun set
        have the sun go down / the sun is sinking / the sun is almost gone / show a beautiful sunset / a red sunset
        put the sun low / lower the sun / let it be early evening / sunset time / evening time / six in the evening
        eight o'clock in the evening / around sundown / let twilight begin / in the evening twilight
        between day and night / the day comes to an end / just after sunset / just before sunset
        the sky is purple and red / it's getting darker, evening is near / warm evening light on the houses
        let the sun disappear behind the houses / the sun sinks behind the hills / let the daylight fade
        fading light please / a dim evening / switch to evening light / make it a summer evening
        rush hour in the evening light / sunset over the road / dusk please / can you make it dusk / time for a sunset
        the sun almost touches the horizon / what would it look like at dusk
        set it to sunset / time = dusk / lighting: sunset / lighting: dusk / trigger dusk / trigger sunset
        simulate a sunset / simulate evening / render it at dusk / run this at dusk / load the sunset scene
        activate sunset / start the sunset / next: dusk / try dusk / let's try a sunset / let's do evening
        let's have dusk / we want a sunset / we want evening / I'd prefer the evening
        I'd rather drive in the evening / I want dusk / I want twilight / I want an evening drive
        I feel like a sunset / I would like to see the sunset / I want the sun to go down / let me see a sunset
        let me drive at dusk / make me a sunset / give me dusk / give us a pretty sunset / show me dusk
        show us the evening / take me to sunset / take us into twilight / could we have twilight?
        could it be evening? / may I have a sunset / can the sun go down? / can you set the sun
        can we go to evening time / would it be possible to have dusk / why not a sunset / maybe a sunset
        perhaps dusk / how about sunset? / how about twilight / please switch to dusk / please bring the sunset
        it's twilight now / it's sunset / it is sunset now / it's early evening now / it became evening
        the evening begins / evening is falling / evening approaches / dusk is falling / dusk settles over the town
        twilight falls over the street / twilight sets in / a soft twilight / blue twilight
        the blue hour after sunset / the golden hour begins / golden evening sun / golden light on the road
        golden light before night / a golden sky / sky of gold and red / a fiery sky / a fiery sunset
        the sky is on fire / the sky turns red / the sky turns pink / a pink sky / purple evening sky
        a violet sky at sunset / make the sky red / make the sky pink like at sunset / colour the sky like a sunset
        color the horizon red / an orange glow on the horizon / a red glow in the west / the sun goes under
        the sun goes down slowly / the sun goes down behind the town / the sun has just set
        the sun has just gone down / the sun disappears below the horizon / the sun vanishes
        the sun hangs low over the road / a low sun blinds me / setting sun please / low-hanging sun
        let the sun hang low / let the sun drop / let the sun go under / let the sun slowly set
        drop the sun to the horizon / pull the sun down / push the sun towards the horizon / sun at the horizon
        sun angle low, like evening / the sun dips / sunset mood / sunset lighting please / sunset scene
        sunset drive / a romantic sunset drive / a sunset over the city / a dramatic sunset / a long sunset
        an autumn sunset / the light is fading / the light gets dim, the day is over / the light turns golden
        the light becomes warm and low / the daylight is nearly gone / daylight is running out / the last daylight
        last light / the last sunshine of the day / the final rays of the day / only a little light left in the sky
        it begins to get dark / it slowly gets dark / it is slowly getting darker / it gets darker, the day is ending
        it's nearly dark / it is almost night / it will soon be night / night is near / night is coming
        night is about to fall / right before night / the hour before night / just as it gets dark / day's end
        the end of a long day / the day is over / the day is nearly over / the day turns into evening
        from day to evening / afternoon becomes evening / late afternoon light / late in the afternoon with low sun
        six p.m. / seven p.m. / eight p.m. in summer / 7 pm / half past seven in the evening
        nine o'clock on a summer evening / it is seven in the evening / set the clock to eight p.m.
        set the clock to evening / turn the time to sunset / move the clock to dusk / change to sunset
        change the scene to dusk / turn to evening / go to dusk / go to sunset / go to evening / skip to sunset
        jump to dusk / fast forward to evening / fast-forward to sunset / wind forward to sunset / evening now
        evening mode / evening scene / evening atmosphere / evening sky / evening sun / a calm evening
        a warm evening / an autumn evening / a quiet evening drive / an evening cruise / in the evening
        this evening's light / at twilight / by dusk / towards evening / drive home in the evening
        dim the daylight a little, like dusk / half-light / half-darkness / semi-darkness / neither day nor night
        still a bit of light, but the sun is gone / long shadows / 20:00 in the evening / imagine the sun is setting
        pretend it is dusk / act as if the sun were setting / while the sun sets
        the sun dazzles me low above the road, it is evening / ride along as the sun goes down
        the first lamps come on, the sky still glows / colours of a sunset / an evening with low sun
        """),
    "fog": parted("""
        fog / fog please / make it foggy / let there be fog / it is foggy / fog rolls in / thick fog / dense fog ahead
        bring some fog / add fog / I want fog / I'd like a foggy road / can we have fog? / could you add some mist?
        mist / misty / a misty morning / mist over the road / mist comes up / haze / hazy
        a thick haze hangs over the town / low visibility / poor visibility / visibility drops / I can't see far
        nothing can be seen beyond twenty metres / the road disappears in white / everything is white and blurred
        a wall of grey / pea soup out there / a real pea-souper / the town vanishes in the mist
        clouds come down to the ground / low cloud on the road / murky air / it gets murky / cover everything in fog
        fog up the road / turn on the fog / switch the weather to fog / set fog / fog bank ahead
        drive into a bank of fog / show me the town in fog / what if it were foggy? / how about a bit of fog
        patches of fog / autumn fog / sea fog drifts in / brume / smog / smoke and haze in the air / blanket of mist
        veil everything / hide the houses in mist / make it hard to see ahead / we need fog lights / fog lamps on
        like London fog / the air is thick / the view is blocked by fog / I fancy a foggy drive
        cannot see the next car for fog / it's getting misty out there / bring the visibility down / shroud the street
        grey mist everywhere / let it be foggy / it's very foggy / make the air thick with mist
        I would like poor visibility / let a fog bank come in / reduce visibility / make it misty / can it be foggy
        the fog gets thicker / drop a heavy mist on the town / cover the road with haze / foggy weather please
        it became hazy / more fog / give me some fog / mist everywhere / I'd like less visibility / drop the visibility
        make the view blurry with mist / let the mist roll in / the mist thickens / the fog thickens / a veil of fog
        it's a foggy day / foggy conditions / heavy fog now / there's fog everywhere / fill the street with fog
        it is so foggy I can't see / can't see a thing in this mist / white out the road with fog / grey soup
        could it get hazy / thick mist please / let haze cover everything / light fog / slight mist / a bit misty
        hide everything beyond ten metres / visibility under fifty metres / wrap the town in mist
        let clouds sink onto the road / fog comes in from the river / fog descends / fog swallows the road
        drown it in fog / driving in fog / fog over the road / fog the place up / the air is full of fog
        bring in a mist / fogbound / more mist please
        fog = 1 / weather: mist / fog level high / more fog density / enable fog / trigger fog / simulate fog
        simulate mist / render fog / load foggy weather / run it with fog / next: fog / now fog / now some mist
        try fog / let's try fog / let's drive in fog / we need fog / I need some mist / I'd rather have fog
        I want mist / I want a foggy morning / I want to drive in fog / I want to see the town vanish in fog
        I feel like fog / I would love a bit of fog / I'd like it hazy / give us fog / give me mist / give me a haze
        give me bad visibility / show me fog / show us a misty street / put us in the fog
        put some mist on the street / send fog / send a fog bank / send us some mist / could we have mist?
        could you put fog there / can you do fog? / can you make the air foggy / may I have some fog
        why not some fog / why not add a bit of mist / perhaps a light fog / maybe a little haze / how about mist?
        how about haze / what about fog / what about some mist / please add mist / please lower the visibility
        please bring mist / pretty please, fog / it became misty / it has become foggy / it's hazy out here
        it is getting hazy / it's so misty / there is mist ahead / there is a fog bank on the road
        there should be fog / fog is coming up / fog comes / fog moves in / fog creeps in / fog spreads over the town
        fog spreads / fog gathers / fog settles / fog hangs over the road / fog lies on the street / fog surrounds us
        fog all around / fog in front of us / fog ahead / fog over the fields / fog over the city
        fog between the houses / fog like milk / milky air / milky fog / a milky haze / white fog / gray fog
        ground fog / river fog / winter fog / night fog / freezing fog / early fog / very dense fog / extreme fog
        full fog / maximum fog / fog at full strength / thick as soup / a soup of fog / a wall of fog / a wall of mist
        a curtain of mist / a blanket of fog / a cloud of fog / a sheet of mist / a grey veil
        a white veil over the road / a white wall ahead / mist comes in / mist gathers / mist hangs in the air
        a mist falls / a mist rises / a light mist / a heavy mist / a fine mist over the street / a damp mist
        morning mist / misty weather please / misty conditions / misty road / misty streets / hazy conditions
        haze over the town / make lots of fog / make it thick with fog / make the weather foggy / make the road foggy
        make it impossible to see far / make everything blurry with fog / turn on the mist / switch fog on
        change to fog / change it to mist / go to fog / go foggy / increase the fog / thicken the air
        let the fog roll in / let the fog come in / let fog settle / let mist rise / let everything disappear in fog
        let the houses fade in the mist / let the road vanish in the fog / lose the road in fog
        swallow the town in fog / fill the air with mist / cover the city in mist / cover everything with mist
        blanket the road in mist / shroud everything in fog / wrap the road in fog / bury the town in fog
        bury everything in mist / hide the town in fog / hide the world behind fog / obscure the view with fog
        obscure the road with mist / veil the town in haze / blur the distance with haze / block my view with fog
        cut visibility to twenty metres / limit my view to a few metres / zero visibility / no visibility at all
        visibility close to zero / visibility of ten metres / visibility is bad / the visibility gets worse
        I can barely see the road / I can barely see anything in this fog / I can't see the road for the fog
        can't see through the fog / hard to see in the mist / everything disappears in the mist
        everything is grey and misty / everything turns white and foggy / the town is hidden in mist
        the houses vanish in fog / the street vanishes in fog / the street disappears in the haze / the air is hazy
        the air turns white / the clouds come down to the street / drive through a cloud / a low-lying cloud
        we drive into fog / driving through mist / a drive in the fog / a foggy evening / a foggy street
        a foggy town / foggy as in London / Scottish mist / November fog / spooky fog / imagine thick fog
        pretend it is foggy / inside a cloud / as if driving inside a cloud / fog limits what I can see
        allow me only a short view through mist / begin with the fog / fog drowns everything
        """),
    "rain": parted("""
        rain / rain please / make it rain / let it rain / it is raining / it starts to rain / rain falls / heavy rain
        light rain / a drizzle / drizzle / a shower / a downpour / pouring rain / it pours / it's pouring
        it's bucketing down / raining cats and dogs / bring on the rain / add rain / I want rain / I'd like some rain
        can we have rain? / could you make it rain? / please let it pour / turn on the rain / switch the weather to rain
        set rain / wet road / make the road wet / wet weather / the street gets wet / slippery from rain
        puddles on the road / water on the windscreen / raindrops on the windshield / wipers on
        I need the windscreen wipers / rainy / a rainy day / rainy weather please / a thunderstorm / a storm with rain
        storm clouds open up / the heavens open / a cloudburst / sheets of rain / it rains hard / torrential rain
        rainstorm / spit with rain / rain starts coming down / drops fall from the sky / water falls from the sky
        soak the road / splash through the rain / show me the town in the rain / what if it rained?
        how about some rain / I fancy a wet drive / monsoon / give us a proper soaking / let the rain begin
        start the rain / a bit of rain / it should rain now / wet the asphalt / the sky opens and it rains
        grey and raining / a spell of rain / bad weather with rain / let's have a shower of rain / tipping it down
        I don't mind rain, bring it / why not make it rain? / I'd love a shower / let the clouds burst
        let it pour down / some drizzle would be nice / the road should be wet with rain / start raining
        it begins to drizzle / make it a rainy day / rain, please / can you give me heavy rain / it is chucking it down
        bring a thunderstorm / drench the road / give me a storm / more rain / get it raining
        let's get some rain going / it is wet outside / rain drops / a heavy shower / showers / a storm breaks
        let the storm come / bring a rainstorm / storm please / stormy weather with rain / it's drizzling
        drizzle a little / rain on the windscreen / water pours from the clouds / it's pouring down / rain harder
        more rain please / let the skies open / wet weather please / I want it wet / slick wet roads / turn the road wet
        puddles form / add a shower / a sudden shower / I want to test the wipers / some rainfall / rainfall
        precipitation / soaking wet street / it's raining heavily / a rainy drive / driving in the rain
        rain clouds bring rain / make it drizzle / the weather turns to rain / it is raining out there
        rain on / rain = 1 / rain intensity high / enable rain / activate rain / trigger rain / simulate rain
        simulate wet roads / render rain / load rainy weather / run it with rain / next: rain / now rain / try rain
        let's try rain / let's have rain / let's drive in the rain / let's get wet / we need rain
        we need a good shower / I need some rain / I'd rather have rain / I'd rather drive in the rain
        I want it to rain / I want heavy rain / I want a storm / I want a thunderstorm / I want to drive in the rain
        I want to hear the rain / I feel like rain / I'd like to see rain / I'd like a downpour
        let me have some rain / give me rain / give me a rainy day / give me showers / show me rain
        show us a rainy street / take me through a rainstorm / put us in the rain / put some rain on the road
        put rain in / send rain / send us a shower / could it rain please / could you start the rain
        can you do rain? / can you make it wet / can we get rain please / may I have some rain / would you let it rain
        why not some rain / why not have a shower / maybe rain / perhaps a little rain / maybe a light shower
        how about a storm / what about rain / please add some rain / please bring rain / please let the rain come
        please make it wet outside / it rains a lot / it's raining now / it is bucketing / it's lashing down
        it's hammering down / it's spitting / it should pour / it should rain heavily / it should be wet
        it should be a rainy day / there is water everywhere on the road / rain is coming / rain comes down hard
        rain comes in / rain sets in / rain drums on the roof / rain beats against the windows / rain lashes the car
        rain soaks the street / rain runs down the glass / rain and puddles / rain and wind / rain all over
        rain everywhere / rain over the city / rain, heavy please / rain with thunder and lightning
        rain at full strength / maximum rain / full rain / extreme rain / steady rain / soft rain / gentle rain
        pelting rain / lashing rain / cold rain / summer rain / autumn rain / April showers / spring rain
        tropical rain / a rain shower please / shower please / a deluge / torrents of rain / a wall of rain
        a curtain of rain / buckets of rain / loads of rain / plenty of rain / a little rain / drizzly
        drizzly weather / showery weather / rainy conditions / rainy street / rainy night / a rainy town
        a rainy morning / a wet day / a wet and grey day / wet surface / wet tarmac / wet conditions
        wet and slippery / wet it / the road is soaked / the streets are wet from rain / the asphalt shines with rain
        the windscreen is full of drops / the wipers can hardly keep up / drops on the window / raindrops on the glass
        raindrops fall / water from above / puddles everywhere / splashing through puddles
        spray from the wheels, heavy rain / aquaplaning / the weather turns wet / the weather should be rainy
        the sky pours down / the sky lets go / the clouds pour down / dark clouds and rain / a rain cloud bursts
        rain clouds please / a storm rolls in / a storm is coming / a storm hits the town / a rainstorm hits
        a thunderstorm with heavy rain / thunderstorm please / make it rain heavily / make it rain a little
        make it stormy and wet / make the ground wet / make the weather wet / make heavy rain / turn it rainy
        switch rain on / switch to rainy / change it to rain / go to rain / increase the rain / add some drizzle
        add a downpour / add precipitation / add water to the road / add a thunderstorm / bring a shower
        bring a storm / bring us rain / get the rain going / get some rain / let rain fall / let it pour with rain
        let it rain a bit / let it rain hard / let it come down / let there be a downpour / let the streets get wet
        let the drops fall / start a shower / start a thunderstorm / drench us / drench everything / soak us
        wet everything / flood the windscreen with rain / pour down / pour rain on us / drown the road in rain
        imagine rain / pretend it rains / English weather, rain / typical British weather, rain / throw rain at me
        toss in a shower / driving through pouring rain / the clouds should open / everything should get soaked
        """),
    "clear weather": parted("""
        clear weather / clear skies / clear sky / a clear day / make it clear / clear up the weather
        the weather clears up / sunny / make it sunny / sunshine / sunshine please / let the sun shine
        the sun comes out / bright day / a bright sunny day / blue sky / blue skies please / not a cloud in the sky
        cloudless sky / no clouds / fine weather / nice weather / good weather / fair weather / lovely weather
        beautiful day / stop the rain / no more rain / the rain stops / it stops raining / end the rain
        make the rain stop / turn off the rain / get rid of the rain / enough rain / let the rain end / lift the fog
        the fog lifts / no more fog / clear the fog / remove the fog / get rid of the fog / turn off the fog
        the mist clears / the haze goes away / stop the fog / take the mist away / without fog / without rain
        dry weather / make it dry / dry road / the road dries / dry up / good visibility / I can see far again
        perfect visibility / back to normal weather / normal weather / reset the weather / daylight / make it day
        daytime / back to daylight / broad daylight / make it bright / noon / midday sun / the sun is high
        end the storm / the storm passes / bad weather is over / I want sun / I'd like sunshine
        can we have nice weather? / could you clear the sky? / please stop raining / switch the weather to clear
        set clear weather / drive in the sunshine / a fine day for a drive / brighten up / chase the clouds away
        the sky clears / bring back the sun / the clouds part / summer's day / show me the town in sunshine
        I don't want rain any more / I'm tired of the rain / no rain any longer / no fog any more
        it is no longer foggy / please end this rain / get the sun out / let's have a sunny day / take away the fog
        I would like good weather / the weather should improve / let it stop raining / can the fog go away
        make the sky blue / sunny weather please / it's a clear day / remove the rain / cloud-free sky
        turn the rain off / bright sunshine / stop this rain now / let the rain stop / I've had enough of the rain
        halt the rain / cut the rain / rain off / rain away / make the fog disappear / make the fog go away
        let the fog vanish / the fog is gone / disperse the fog / fog off / get the fog out of here / blow the mist away
        the haze clears / clear the haze / clear the air / clear it up / better weather please / improve the weather
        good visibility please / I want to see clearly again / let me see far / dry the road / let it be dry
        it should be dry and bright / make it a nice day / a perfect day / some sun please / give me sun / sun please
        the sun is shining / let's see the sun / full sun / brighten the sky / open blue sky / a day without clouds
        remove the clouds / part the clouds / the rain is over / the bad weather ends / no rain, just sunshine
        it has stopped raining / end the fog / turn off the bad weather / back to sunshine / make it daylight again
        let it be bright day / back to clear skies
        clear / clear now / set it to clear / rain = 0 / fog = 0 / default weather / deactivate the rain
        switch to sunshine / switch to good weather / simulate clear weather / simulate sunny weather
        trigger clear weather / activate sunshine / load sunny weather / next: clear weather / now sun
        now some sunshine / try clear weather / let's have good weather / let's have clear skies / we need sun
        we need better weather / I'd rather have sun / I want it sunny / I want the rain gone / I want to see the sun
        I want a sunny drive / I'd like clear weather / I'd like a blue sky / I'd like it dry
        I'd like the fog to lift / I feel like sunshine / I would like the sun to shine / let me drive in the sun
        let me see the blue sky / show me a sunny day / could we have sun? / could the sun come out
        could it be sunny / could it be clear / can you take away the rain / can the sun shine / may I have some sun
        would you stop the rain / would you please clear the fog / would it be possible to have sunshine
        why not clear weather / why not some sunshine / maybe some sunshine / maybe clear weather
        perhaps a sunny day / how about sunshine / how about some sun / how about a clear sky
        what about better weather / please clear the sky / please make it clear / please let the sun come out
        it clears / it is clear again / it has cleared up / it gets clear / it's sunny now / it is bright
        it is a beautiful day / it's a lovely day / it is dry / it is dry again / it became sunny / it turns sunny
        it gets brighter / it brightens up / it is day / it is bright day / it should be sunny / it should be clear
        it should clear up / it should be dry / it should be nice weather / the rain is gone / the rain lets up
        the rain passes / the shower has passed / the storm is over / the storm moves on / the thunderstorm is over
        the fog thins out / the mist lifts / the mist disappears / the air is clear / the view is clear
        the sky opens up, blue and bright / the clouds clear / the clouds move away
        the sun breaks through the clouds / the sun shines again / the street is dry / the weather is good again
        the weather gets better / the weather brightens / the visibility is good again / clear visibility / good view
        unlimited visibility / I can see everything clearly / back to clear / return to clear weather
        go to clear weather / go sunny / bring back the blue sky / bring back good weather / get us some sun
        end the mist / stop the drizzle / stop the shower / stop the downpour / remove the storm / clear the view
        clear everything up / dispel the mist / dissolve the mist / dry and clear / dry and bright / dry asphalt
        make it nice / make the sun appear / make good weather / make it dry and sunny / turn it clear
        turn on the sunshine / turn on the sun / turn the weather nice / change to sunny weather
        let the weather be fine / let the sun break through / let the clouds go / let it clear up / let it be clear
        let it be nice again / let there be sunshine / let there be light and sun / sun on / some better weather
        a bit of sun / a sky without clouds / a sunny morning / a nice day / a dry day / a fine day / a gorgeous day
        a glorious day / a wonderful day with sunshine / bright sun in a blue sky / bright and clear / sunny and clear
        sunny and warm / sunny sky / sunny road / sunlight / glorious sunshine / bright sunlight on the road
        summer weather / summer sun / picnic weather / beautiful weather please / perfect sunny weather
        pleasant weather / good driving weather / ideal weather / nicer weather / decent weather / no more mist
        no more clouds / no more storm / no more bad weather / enough of the fog / enough of this weather, sun please
        I'm done with the rain / I'm done with the fog / I'm sick of this fog / not one cloud above / broad day
        high noon / noon light / back to day / back to normal light / it's day again / let it be day / make it noon
        make it midday / turn night into day / switch to day / set it to day / change to daytime / change to day
        end the night and bring the day / reset to sunny / reset the sky / imagine a sunny day / pretend it is sunny
        conditions: clear / perfect conditions / back to dry and sunny / that fog can go / send the rain away
        """),
    "a car cuts in": parted("""
        a car cuts in / a car cuts in front of me / somebody cuts me off / cut me off / get cut off by a car
        make a car cut in / another car pulls in front of me / a vehicle pulls out in front of me
        a car swerves into my lane / a car merges into my lane / a car changes lanes right in front of me
        have someone change lanes into me / a car squeezes in ahead / someone pushes in front / a driver barges in
        a driver cuts across me / a car overtakes and pulls in sharply / a car passes and cuts back in / a van cuts in
        a lorry pulls out ahead / a taxi swerves in front of us / an aggressive driver cuts in
        reckless driver in front / a careless driver takes my lane / a car jumps into the gap
        a car drops into the gap ahead / cut-in / cut in / a cut-in from the left / a cut-in from the right
        do a cut-in / let a car cut in now / I want a car to cut in / can a car cut in front of us?
        could somebody cut me up? / someone cuts me up / cut me up / a car suddenly appears in my lane
        a vehicle moves into our lane / traffic merges in front of me / a car noses in / a car slips in between
        another vehicle enters my lane abruptly / a car from the next lane comes over
        the car beside me moves over into my lane / make the other car pull in ahead of me
        have a driver pull out in front / send a car across my path / a vehicle forces its way in
        block my lane with a car / an idiot cuts in / some jerk cuts me off / a car dives in front of the bonnet
        sudden lane change by another car / a car brakes in front of me after cutting in
        a motorist intrudes into my lane / simulate a cut-in / a car steals my gap / a car wedges itself in front of me
        test me with a car cutting in / car cutting in / let another driver cut me off / a car should move into my lane
        make someone merge in front of us / have a car pull in right before me / a vehicle cuts in sharply
        a truck cuts in ahead of me / I want to be cut off / another car squeezes into my lane / some driver cuts in
        let a car swerve in front of me / cutting in by another car / car merges suddenly
        get a car to jump in front of me / somebody pulls out into my path / a rude driver cuts in front
        someone changes lanes into me / another driver takes my right of way and pulls in
        let the car next to me pull in / a car comes into my lane without signalling
        the neighbour car changes into my lane / a car forces me to brake by moving in / car moving into my lane
        a vehicle merges right ahead of me / have a car merge in front / make a car merge in front of me
        let a van pull in ahead / a driver without manners squeezes in / a sports car darts in front of me
        a car shoots into my lane / a car slides over in front of us / a car sneaks in front of me
        someone steals my place in the lane / let someone overtake me and cut back in / a cab cuts me off
        a truck pulls into my lane / have a lorry cut in / get cut up / get cut off / being cut off
        someone cuts across my bow / a car crosses into my lane / a cutting-in car / cutting in
        put a car right in front of me / drop a car in front of me / a car appears right in front
        somebody jumps the queue in front of me / an impatient driver pushes in / a car barges into the lane
        close cut-in / dangerous cut-in by another car / a reckless lane change ahead of me
        event: cut-in / event: car cuts in / cut-in manoeuvre / cut-in maneuver from the right
        trigger a lane change into my lane / spawn a cut-in / spawn a car that cuts in
        simulate a driver cutting me off / cut-in scenario / let's try a cut-in / let's get cut off
        I want a car to pull in front of me / I want somebody to cut in / I'd like a vehicle to swerve into my lane
        I would like another car to change into my lane / I would like to experience a cut-in / give me a rude driver
        give me a reckless driver / give me a pushy driver / show me someone cutting in / send in a lane hogger
        put another car into the gap ahead / could we have a cut-in / could a driver cut me off / could someone cut in
        could somebody pull in front of us / could you make a car cut me off / can another car come into my lane
        would you make somebody cut me off / maybe a car cuts in / perhaps a cut-in / how about a cut-in
        what about a car that cuts in / please let someone cut me off / car cuts in from left / car swerves in front
        car jumps in front / vehicle pulling out ahead / lorry cuts in front of us / bus cuts in front of me
        SUV cuts in / sports car cuts me off / pickup cuts in / a pickup pulls in front of me
        a coach pulls into my lane / a minivan cuts me off / a limousine cuts in / a delivery van pulls in front of me
        a delivery van swerves in ahead / a bus pulls into my lane / a convertible cuts in front
        a blue car cuts me off / a black car squeezes in front of me / a white van cuts me up
        a small car slips in front of me / a speeding driver swerves in front of me / a car races past and cuts in
        a car speeds past and pulls in front / a car passes me and swerves in / a car overtakes me and cuts me off
        a car pulls in close ahead / a car pulls out of its lane into mine / a car pulls across / a car veers across
        a car slots in ahead / a car nips in / a car nudges its way in / a car pushes in
        a car forces itself in front of me / a car dives in / a car dives into my lane / a car darts into my lane
        a car whips in front of me / a car zips in ahead of me / a car suddenly swerves in / a car suddenly moves over
        a car abruptly changes lanes / a car abruptly pulls in / a car changes lanes without signalling
        a car comes in from the side / a car gets in my way / a car takes my space
        a car fills the gap in front of me / a car merges too close / a car merges from the left
        a car merges from the ramp right in front of me / the car next to me comes over / the car on my left pulls in
        the car in the other lane cuts in / the overtaking car cuts in / another car pulls out / another car comes in
        another driver squeezes in / another vehicle cuts me off / another road user cuts in / other traffic cuts in
        let traffic cut in / someone cuts in / someone cuts in front of me / someone cuts in ahead / someone pulls in
        someone merges in front of me / someone squeezes in / someone squeezes in front of me
        someone jumps in front of me with his car / someone overtakes and cuts in / someone forces me to brake
        someone steals the gap / someone drops in ahead of me / somebody pulls in front of us / somebody merges
        somebody squeezes in ahead / somebody pushes into my lane / somebody overtakes and pulls in
        somebody drives in front of me / a driver pulls in front of me / a driver changes lanes without looking
        a driver forces me to brake / a driver ignores me and merges / an aggressive merge / an aggressive lane change
        a maniac cuts in / a maniac swerves into my lane / a lunatic cuts me off / an idiot cuts me off
        an idiot pulls out in front of me / some idiot changes into my lane / some jerk cuts in
        some fool pulls in front of me / some lunatic merges in front / some clown cuts me up
        some guy cuts me off with his car / a distracted driver drifts into my lane
        a blind driver changes into my lane / a drunk driver swerves into my lane / a selfish driver cuts in
        a hurried driver jumps the gap / a motorist cuts in / a motorist cuts me off / a motorist pulls in front of me
        a lorry cuts me off / a lorry changes into our lane / a lorry merges in front of me
        a truck merges in front of us / a truck squeezes in / a van changes into my lane
        a van swerves in front of me / a van merges ahead / a taxi pulls in front of me / a taxi squeezes in
        a vehicle changes lanes into mine / a vehicle swerves in front of us / a vehicle abruptly moves in
        make a car pull in / make a truck cut in / make someone pull in front of me / have a car jump in
        have a car squeeze in / have a truck pull in front / have a taxi cut in / have somebody push in
        let a car overtake and cut in / let a truck cut me off / let another driver push in / let somebody squeeze in
        let someone cut in front of me / let someone jump into the gap / let someone take my lane
        bring in a car that cuts me off / create a dangerous merge / add a vehicle that cuts in / stage a cut-in
        test a cut-in / test my reaction with a cut-in / test my brakes with a cutting-in car
        surprise me with a cut-in / challenge me with an aggressive driver / cut my lane / steal my gap
        squeeze a car in front of me / merge a truck into my lane / slip a car into the gap ahead
        drop a vehicle into my lane / block me with a cutting-in car / I am cut off by a van / we are cut off
        a close merge / a risky cut-in / a sudden cut-in / a sharp cut-in / a late merge in front of me
        a nasty cut-in / a sudden merge / an unexpected cut-in / reckless cut-in / lane cutter / lane change into mine
        unsafe lane change ahead / someone in my lane suddenly / imagine someone cuts in / pretend a car cuts in
        a car from the side ends up right in front of me / some maniac cuts me off / let some madman cut in
        another car shoots in front of my bumper
        """),
    "a pedestrian crosses": parted("""
        a pedestrian crosses / a pedestrian crosses the road / someone crosses the street
        somebody walks across the road / a person walks in front of the car / a man crosses the road
        a woman crosses the street / a child runs into the road / a kid runs out / children cross the street
        an old lady crosses / a walker steps off the kerb / a walker steps off the curb
        a pedestrian steps onto the road / a pedestrian on the crosswalk / a pedestrian at the zebra crossing
        jaywalker / a jaywalker / somebody jaywalks / make a pedestrian cross / let someone cross
        send a pedestrian across / I want a pedestrian to cross / can somebody walk over the road?
        could a person cross in front of me? / have a person step out in front of me / a person in the road
        people on the road / people cross ahead / a pedestrian ahead / pedestrian / pedestrian crossing
        somebody dashes across / someone runs across the street / a runner crosses / a jogger crosses my path
        a figure steps out between parked cars / a boy chases a ball into the street / someone on foot crosses
        someone walks out in front of us / a passer-by crosses / a student hurries across / a man with a dog crosses
        a mother with a pram crosses / a person strolls across the lane / a bystander steps into the road
        put a person on the street / put someone in front of the car / add a pedestrian / spawn a pedestrian
        a human on the road / test my brakes with a pedestrian / let a person go over the road / people want to cross
        someone wants to cross / a person is crossing / pedestrian crossing the street ahead / a guy walks across
        a bloke wanders across the road / a girl walks over the road / a careless pedestrian
        someone is walking in the road / look, a person crossing / let a person cross the road
        somebody steps onto the street / a man walks across / make a kid run across the road
        I want someone to walk in front of the car / a pedestrian is crossing / there's someone on the crosswalk
        a lady crosses the road / have somebody jaywalk / person crossing / a pedestrian runs across
        a boy runs over the street / people walk over the zebra crossing / someone steps off the pavement
        put a pedestrian in my way / have someone cross / let people cross / a pedestrian walks over the road
        a pedestrian is on the road / a person steps out / an old man crosses slowly / an elderly woman crosses
        two people cross the street / a family crosses / school children cross / a tourist steps into the street
        someone runs into the road / a child runs after a ball / a kid chases a ball / somebody jumps onto the street
        someone crosses without looking / somebody on the crossing / people at the crosswalk / a lady with a bag crosses
        someone pushes a pram across / pedestrian in front of me / pedestrian on the road
        somebody walks in front of my car / place a person in the road / put a human in my path
        let somebody walk into the street / make a man walk across / make a woman cross the road / get a person to cross
        I'd like someone to step out / a person wants to get to the other side / somebody goes across the road
        careful, someone is crossing / someone darts out / someone hurries across / a person wanders into the road
        bring a pedestrian
        pedestrian event / trigger a pedestrian / trigger someone crossing / spawn a walker
        spawn a child on the road / simulate a pedestrian / simulate a child running out / run the pedestrian scenario
        now a pedestrian / now someone crosses / let's try a pedestrian / let's have a pedestrian
        we want a pedestrian / I want a child to run out / I want somebody on the crossing
        I'd like a person on the road / I'd like somebody to walk across / I'd like a jaywalker
        I would like to have a pedestrian / I would like to see people crossing / give me someone crossing
        give me people on the road / show me someone crossing the road / send somebody over the road
        send a child across / send a walker over / put a person in front of us / put a jaywalker in my way
        put an old lady on the crossing / could somebody cross the street please
        could someone walk in front of the car / could you make a person cross / could a child run across
        can somebody step out / can you have a person walk across / may somebody cross / would you let a person cross
        would you send a pedestrian please / would it be possible to have a pedestrian / maybe a pedestrian
        maybe someone crosses / how about a pedestrian / how about someone crossing / how about a child running out
        please have someone walk across the road / please send someone across / please put somebody on the road
        a person walks in front of me / a person runs in front of the car / a person steps into my path
        a person jumps in front of the car / a person appears in front of me / a person in my way
        a person hurries over the street / a person dashes across the road / a person with a bag crosses
        a person with a dog crosses the road / a person looking at his phone crosses / a pedestrian walks into my lane
        a pedestrian runs in front of me / a pedestrian steps out in front of me / a pedestrian steps off the kerb
        a pedestrian dashes out / a pedestrian wants to get across / a pedestrian jumps out
        a pedestrian stumbles onto the road / a pedestrian suddenly runs out / an inattentive pedestrian
        a drunk pedestrian / a distracted pedestrian steps out / pedestrians on the road / some pedestrians please
        two pedestrians cross / a group of pedestrians crosses / make a pedestrian step out / make a pedestrian appear
        make a person run across / make someone step out / make somebody step onto the road / make a kid cross
        make people walk across the road / make a man cross / make a woman walk over the street
        have a person run out / have a woman cross / have someone run across the road
        have somebody step off the kerb / let a man walk over the street / let a woman with a pram cross
        let a child run into the street / let a kid run out in front of me / let an old man cross the street
        let a jogger cross / let a boy run across / let a girl cross the road / let someone walk in front of me
        let someone run across / let somebody walk across / let somebody run into the road / someone crosses ahead
        someone crosses my path / someone steps in front of the car / someone jumps out in front of me
        someone wants to go across / someone in the way on foot / someone comes out between the cars
        somebody walks over the street / somebody runs out in front of me / people cross in front of me
        people walk across / people walk across the street / people walk in front of the car
        people run across the road / people on the street / people step out / people are crossing the road
        a few people cross the street / a crowd crosses the road / a bunch of kids crosses
        a man crosses in front of me / a man steps onto the road / a man steps out in front of me
        a man in a suit crosses / a man on crutches crosses / a blind man crosses / an old man walks across
        a woman crosses in front of us / a woman walks across / a woman steps onto the street / a woman runs across
        a woman with a child crosses / a woman with shopping bags crosses / an old woman crosses the street slowly
        a granny crosses / a grandmother crosses the road / a lady steps out / a girl crosses / a girl runs across
        a girl walks across / a boy crosses / a boy crosses the road / a teenager crosses
        a teenager with headphones crosses / a child crosses the street / a child runs in front of the car
        a child steps out / a child walks across / a child darts out / a toddler wanders onto the road
        a kid runs across / a kid jumps out / a schoolchild crosses / schoolchildren on the crossing
        school kids cross the road / kids on the road / kids run out / children run across / a pupil crosses
        a student crosses / a tourist crosses / a worker crosses the street on foot / a postman crosses
        a policeman walks across the road / a jogger runs across the road / a walker crosses the road
        a hiker crosses / a stroller crosses the road / a passer-by steps out / a passer-by walks across
        a guy crosses / a guy runs across / a couple crosses / a couple crosses the road / a family crosses the street
        a mother and child cross / a father with a child crosses / a father pushes a pram across
        a wheelchair user crosses / a human in front of the car / a figure crosses the road / a figure walks across
        a figure appears on the road / a jaywalker crosses / a jaywalker steps out / man crossing
        child on the street / people use the crossing / add a person / add a walker / add someone crossing
        add people on the road / add a child crossing / bring someone across / drop a pedestrian on the road
        test a pedestrian / test my reaction with a pedestrian / surprise me with a pedestrian
        challenge me with a jaywalker / there's a child on the road / a human being on the street
        imagine someone crosses / pretend somebody crosses / I want a walker to cross
        I'd like to see someone on foot cross / I want to see a pedestrian cross
        """),
    "road works ahead": parted("""
        road works ahead / roadworks / road work ahead / there are roadworks / construction ahead / road construction
        a construction site on the road / a construction zone / a work zone / put up roadworks / add road works
        add a construction site / the road is being repaired / they are repairing the road / workers dig up the street
        the street is dug up / men at work / workmen on the road / cones on the road / traffic cones ahead
        orange cones / a row of cones blocks the lane / barriers on the road / a barrier across my lane
        my lane is closed / lane closed ahead / lane closure / a closed lane / the lane is blocked by construction
        road closed for repairs / a building site ahead / a digger in the road / an excavator in my lane / resurfacing
        they lay new asphalt / fresh tarmac is being laid / pothole repairs / maintenance work on the street
        street maintenance / set up a work site / set up cones / place cones in front of me / I want road works
        I'd like a construction zone / can we have roadworks? / could you block the lane with cones?
        how about some roadworks / let there be road works / roadworks coming up / roadworks in a hundred metres
        bring on the construction crew / a road crew is working / highway workers ahead / hazard cones and barriers
        a detour because of construction / diversion ahead / narrow lane at roadworks / a hole in the road with barriers
        tear up the road ahead / close my lane / put a barricade in the way / barricades ahead
        they're fixing the street / warning signs for road work / show me road works / utility works in the street
        roadwork / put a construction site in front of me / cones block the lane / there should be road works
        construction workers on the road / road repairs ahead / I'd like some road construction / set up barriers
        the lane ahead is closed / add traffic cones / block the road with cones / roadworks please
        they're digging up the road / a work zone ahead / repair works on the street / construction zone in my lane
        some road repair / roadworks on my side / road maintenance / repair the road ahead / let them repair the road
        workers in the lane / a work crew blocks the road / have workers block my lane / block the lane / close a lane
        close the lane ahead / put barriers in the way / a road barrier / a construction barrier
        a fence around a hole in the road / trench in the road / they are digging / digging works ahead
        builders on the road / building works on the street / construction works / construction works in front of me
        a steamroller on the road / a bulldozer blocks the way / an area of construction / cones ahead
        cones in my lane / put cones on the road / put down some cones / set a cone in the lane / pylons on the road
        a sign says road works / the tarmac is being replaced / repaving / the road is torn up / road under construction
        obstruct my lane with a construction site / temporary lane closure / a road works zone comes up
        roadworks for the next stretch
        road works now / roadworks event / event: road works / event: construction / construction now
        construction please / construction in my lane / trigger roadworks / trigger a construction site
        trigger construction / spawn roadworks / spawn cones / spawn barriers / simulate roadworks
        simulate a construction site / simulate road maintenance / simulate a closed lane / next: road works
        now some roadworks / I want barriers / I'd like a construction site ahead / I'd like the road dug up
        let me drive into a construction zone / give me a construction site / show me cones / send in the workers
        send workers to dig up the road / put road works in front of me / put a construction zone ahead
        put a work zone in my lane / put workmen on the street / put an excavator in front of me
        could you add roadworks / can you place some cones / can you dig up the road / may I have roadworks
        would you close a lane please / why not put up a construction site / maybe a construction site
        perhaps roadworks ahead / how about road works / how about some cones / how about a lane closure
        please dig up the road / please bring roadworks / the road is being repaved / the road is closed for works
        the road is half closed / the road needs repair, workers come / the road surface is being renewed
        the road ahead is dug up / the street is under construction / the street is torn up
        the street is blocked by roadworks / the street gets new asphalt / the asphalt is being replaced
        the tarmac is dug up / the pavement is being redone / the lane ends at a construction site
        my lane is blocked / my lane is under repair / lane shut / lane closed for construction / left lane closed
        close part of the street / close half the street for repairs / close the road for construction
        shut off a lane for roadworks / block the road with construction / block the way with cones
        fence off my lane / barricade the road / cordon off the lane for repairs / there is roadwork on my lane
        there's a road crew ahead / roadworks on the lane / roadworks block the way
        roadworks with barriers and cones / roadworks, one lane closed / road works on the street
        road works block the lane / street under repair / street construction ahead / repair work ahead
        fix the potholes / fix the street ahead / dig up the street / dig up the lane / dig up the asphalt
        dig a hole in the road / tear up the street / tear up the asphalt / tear open the road / rip up the road
        renew the asphalt / resurface the road / repave the street / paving work / paving crew ahead
        asphalt works ahead / maintenance work ahead / work zone please / work area ahead / work site
        work site ahead / work site on the road / works on the road / works ahead / works in the street
        works in my lane / builders ahead / workers / workers on the street / workers in front of me
        workers block the road / workers dig a hole / workers put out cones / workers set up barriers
        workers set up a construction site / workers repair the asphalt / workers lay asphalt
        workers in high-vis vests on the road / workers in orange on the road / workers with shovels on the road
        workers with helmets ahead / workmen ahead / construction workers ahead
        construction workers repair the street / construction crew ahead / construction vehicles ahead
        construction machines on the road / construction fence on the road / heavy machinery on the road
        a bulldozer in my lane / a digger ahead / a digger in my lane / an excavator ahead
        an excavator blocks the road / a roller flattens new asphalt / a road roller ahead / a paving machine ahead
        a dump truck at a construction site ahead / a jackhammer breaks the asphalt / jackhammers in the street
        cones now / cones everywhere / cones and barriers / orange barrels on the road / orange barriers ahead
        red and white cones / red and white barriers / safety cones / some barriers ahead / a few cones
        a line of cones / a row of cones / a barrier in front of me / a construction zone with cones
        a construction sign / a road repair site / a repair crew ahead / a work zone with cones / a work crew ahead
        a work crew in my lane / a big hole in my lane with cones around it / an open trench across my lane
        a ditch dug across the lane / a diversion because of road works / a detour sign and cones
        detour because of roadworks / have a crew fix the road / have them dig up the road / have them close a lane
        get workers on the road / let there be construction / let the road be dug up / let workers close the lane
        let workmen block my lane / let roadworks block the lane / bring in the road crew / bring in the diggers
        bring cones / bring construction / insert roadworks / add construction / add road workers / set up a work zone
        place roadworks in front of me / place barriers / open up the road for repairs / start road works
        start construction / start digging up the road / they are digging up the street / they closed my lane
        they closed the lane for repairs / they're building something on the road / they've dug up the street
        they have blocked my lane with cones / we come to a construction site / we meet roadworks
        I run into a work zone / I see workers on the road / imagine roadworks / the road surface is redone ahead
        """),
}
"""Event -> ways to say it."""
